// Holds a bundle of argo-attest against Sigstore's library for JavaScript.
//
//     node verify.js PUB BUNDLE (ARTIFACT | --digest ALG:HEX)
//
// The library checks the signature; the subjects are compared here, as its callers must.
// Prints the predicate's type and exits with 0, or says why not and exits with 1.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const { bundleFromJSON } = require('@sigstore/bundle');
const { TrustedRoot } = require('@sigstore/protobuf-specs');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');

const TRUSTED_ROOT = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1';

function wanted(args) {
  if (args[0] === '--digest') {
    return args[1].split(':');
  }
  return ['sha256', crypto.createHash('sha256').update(fs.readFileSync(args[0])).digest('hex')];
}

function verify(publicPath, bundlePath, args) {
  const publicKey = crypto.createPublicKey(fs.readFileSync(publicPath));
  const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(bundlePath)));
  const root = TrustedRoot.fromJSON({ mediaType: TRUSTED_ROOT });
  const trust = toTrustMaterial(root, () => ({ publicKey, validFor: () => true }));
  const thresholds = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
  new Verifier(trust, thresholds).verify(toSignedEntity(bundle));
  const statement = JSON.parse(bundle.content.dsseEnvelope.payload);
  const [algorithm, digest] = wanted(args);
  if (!statement.subject.some((subject) => subject.digest[algorithm] === digest)) {
    throw new Error(`no subject has the ${algorithm} digest ${digest}`);
  }
  return statement.predicateType;
}

const [publicPath, bundlePath, ...rest] = process.argv.slice(2);
try {
  if (rest.length === 0) {
    throw new Error('usage: verify.js PUB BUNDLE (ARTIFACT | --digest ALG:HEX)');
  }
  console.log('accepted:', verify(publicPath, bundlePath, rest));
} catch (error) {
  console.error('refused:', error.message);
  process.exitCode = 1;
}
