// The clients ask for newer versions of Node.js, but miss only these globals on 18, which Debian 12 ships.
if (typeof globalThis.File === 'undefined') globalThis.File = require('node:buffer').File;
if (typeof globalThis.crypto === 'undefined') globalThis.crypto = require('node:crypto').webcrypto;
