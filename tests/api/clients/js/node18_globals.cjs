// The client asks for Node.js 22, but misses only this global on 18, which Debian 12 ships.
if (typeof globalThis.File === 'undefined') globalThis.File = require('node:buffer').File;
