// A real OpenID provider (the certified npm package `oidc-provider`) for the tests, on loopback.
// Its own development pages ask for any login; that login is the account.
//
//   OIDC_PORT=21001 OIDC_BACK='["http://localhost/sign-in/oidc/back"]' node provider.mjs

import {Provider} from 'oidc-provider';

const port = Number(process.env.OIDC_PORT);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'wangge',
    client_secret: process.env.OIDC_SECRET,
    redirect_uris: JSON.parse(process.env.OIDC_BACK ?? '[]'),
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }],
  cookies: {keys: [process.env.OIDC_SECRET]},
  pkce: {required: () => true},
  claims: {openid: ['sub', 'preferred_username', 'email', 'email_verified'], profile: [], email: []},
  conformIdTokenClaims: false,
  ttl: {AccessToken: 60, AuthorizationCode: 60, IdToken: 300, Interaction: 600, Session: 3600, Grant: 3600},
  async findAccount(_context, id) {
    return {
      accountId: id,
      async claims() {
        return {
          sub: `subject-${id}`,
          preferred_username: id,
          email: `${id}@city.example`,
          email_verified: !id.startsWith('unverified'),
        };
      },
    };
  },
});

const server = provider.listen(port, '127.0.0.1', () => console.log(`ready ${issuer}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
