export default {
  'quality.key': 'Share that fails',
  'quality.notAsked': 'nothing to check',
};
