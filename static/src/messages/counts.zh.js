export default {
  'counts.key': '人数',
  'counts.withheld': '不公布',
  'counts.notGiven': '未报送',
  'counts.nothingTold': '此处没有可公布的人数',
  'counts.checking': '正在检查表格…',
  'counts.refusedTable': '表格被拒收：{n} 处不合要求',
  'counts.place': '第 {row} 行 {column} 列',
  'counts.nothingKept': '该表格的任何内容都没有保存。',
  'counts.checkedTable': '检查通过，可以导入',
  'counts.loadedTable': '已导入，片刻后公布',
  'counts.summary': '{rows} 行 · {areas} 个区域 · 其中 {few} 行少于 10 人',
  'counts.comma': '、',
};
