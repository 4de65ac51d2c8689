// Pages are served as they are: everything in src that TypeScript does not compile goes to dist beside the code.
const { cpSync, statSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const isAsset = file => statSync(file).isDirectory() ? !file.endsWith('recordings') : /\.(html|css|js|svg|json)$/.test(file);
cpSync(path.join(root, 'src'), path.join(root, 'dist', 'src'), { recursive: true, filter: isAsset });
