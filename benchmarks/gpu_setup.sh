#!/usr/bin/env bash
# benchmarks.gpu on a bare machine, with its arguments: `benchmarks/gpu_setup.sh --quick`.
# Where PYTHON (python3) has a torch that sees CUDA, nothing is downloaded: an environment
# in GPU_VENV takes all that PYTHON has and, from the folder WHEELS (.whl), what it lacks.
# Elsewhere the pinned versions are installed into VENV (.venv), as for the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON="${PYTHON:-python3}"
export PYTHONUNBUFFERED=1 TF_CPP_MIN_LOG_LEVEL=3

if "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' ||
    [ -n "${GPU_VENV:-}" ]; then
    GPU_VENV="${GPU_VENV:-$(mktemp -d)/venv}"
    "$PYTHON" -m venv --without-pip "$GPU_VENV"
    packages="$("$GPU_VENV/bin/python" -c 'import site; print(site.getsitepackages()[0])')"
    # Not --system-site-packages: PYTHON may be an environment itself.
    "$PYTHON" -c 'import site; print(*site.getsitepackages(), sep="\n")' \
        >"$packages/beneath.pth"
    for wheel in "${WHEELS:-.whl}"/*.whl; do
        if [ -e "$wheel" ]; then
            "$PYTHON" -m pip install -q --no-index --no-deps --no-compile \
                --disable-pip-version-check --upgrade --target "$packages" "$wheel"
        fi
    done
    python="$GPU_VENV/bin/python"
else
    make "${VENV:-.venv}/.test" VENV="${VENV:-.venv}" PYTHON="$PYTHON"
    python="${VENV:-.venv}/bin/python"
fi

"$python" - <<'END'
import importlib.util
import sys

needed = "torch sklearn skorch pandas joblib pytest hypothesis safetensors skops"
missing = [name for name in needed.split() if not importlib.util.find_spec(name)]
print("missing:", ", ".join(missing) or "nothing", flush=True)
sys.exit("skorch" in missing or "torch" in missing)
END
exec "$python" -m benchmarks.gpu "$@"
