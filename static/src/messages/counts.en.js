export default {
  'counts.key': 'People',
  'counts.withheld': 'Withheld',
  'counts.notGiven': 'Not reported',
  'counts.nothingTold': 'Nothing here may be told',
  'counts.checking': 'Checking the table…',
  'counts.refusedTable': {one: 'Table refused: {n} place is not allowed', other: 'Table refused: {n} places are not allowed'},
  'counts.place': 'Row {row}, column {column}',
  'counts.nothingKept': 'Nothing of the table was kept.',
  'counts.checkedTable': 'The table is good and can be loaded',
  'counts.loadedTable': 'Loaded; it will be published in a moment',
  'counts.summary': '{rows} rows · {areas} areas · {few} of them below 10',
  'counts.comma': ', ',
};
