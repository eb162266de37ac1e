// The faces of the three administrators: what scripts say.
export default {
  'admin.copied': 'Copied',
  'admin.marked': 'Marked: copy it with Ctrl+C',
};
