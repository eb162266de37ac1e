// The rules stand in static/eslint.config.js; eslint looks for them beside each file.
export {default} from '../../static/eslint.config.js';
