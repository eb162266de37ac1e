export default {
  'account.copied': 'Copied',
};
