export default {
  'quality.key': '不合格占比',
  'quality.notAsked': '没有可查的数据',
};
