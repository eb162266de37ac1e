export default {
  'account.copied': '已复制',
};
