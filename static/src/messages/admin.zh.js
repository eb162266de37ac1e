// The faces of the three administrators: what scripts say.
export default {
  'admin.copied': '已复制',
  'admin.marked': '已选中，请按 Ctrl+C 复制',
};
