#!/usr/bin/env bash
# Runs the bench of this folder (npm run bundle:webgpu made it) on a machine that has bash, gzip or Python, and a GPU's Vulkan
# driver. Each model and precision is a process of its own: whichever fails or is stopped, the figures of the others stay.
set -u

usage() {
  echo 'bash run.sh FIGURES.json [--seconds S] [--models base,lite,hq] [option of the bench]...
  FIGURES.json  grows while the bench runs; a log lies beside it
  --seconds S   of the whole run, about (300)
  --models LIST models, comma-separated
  options of the bench: bash run.sh --help-bench'
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT

unpack() {
  if command -v gzip >/dev/null; then gzip -dc "$here/$1.gz" >"$unpacked/$1"
  else python3 -c 'import gzip, shutil, sys; shutil.copyfileobj(gzip.open(sys.argv[1]), open(sys.argv[2], "wb"))' "$here/$1.gz" "$unpacked/$1"
  fi && chmod +x "$unpacked/$1" || { echo "cannot unpack $1.gz: gzip or python3 is needed"; exit 1; }
}

# The driver's description, unless the caller has named one: the first with which a GPU is found. Without a display NVIDIA's
# own, which goes by GLX, can fail where the same driver by EGL does not.
find_driver() {
  local file
  [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] || return 0
  echo '{ "file_format_version": "1.0.1", "ICD": { "library_path": "libEGL_nvidia.so.0", "api_version": "1.3.0" } }' >"$unpacked/egl.json"
  for file in {/usr/local/nvidia/share,/usr/share,/usr/local/share,/etc}/vulkan/icd.d/nvidia_icd.json "$unpacked/egl.json"; do
    [ -r "$file" ] || continue
    echo "driver: $file"
    VK_DRIVER_FILES=$file VK_ICD_FILENAMES=$file "${bench[@]}" --adapter || continue
    export VK_DRIVER_FILES=$file VK_ICD_FILENAMES=$file
    return 0
  done
  echo 'no GPU with any of these: the loader looks for drivers by itself'
}

bench=("$unpacked/node" "$here/bench.js" --assets "$here" --dawn "$unpacked/dawn.node")

[ $# -gt 0 ] || { usage; exit 2; }
[ "$1" != --help ] || { usage; exit 0; }
unpack node
unpack dawn.node
export LD_LIBRARY_PATH="$here/lib:/usr/local/nvidia/lib64:/usr/local/nvidia/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}:$here/lib/gl"
"$unpacked/node" --version >/dev/null 2>&1 || LD_LIBRARY_PATH+=":$here/lib/c++"
"$unpacked/node" --version || { echo 'Node does not start here'; exit 1; }
[ "$1" != --help-bench ] || { "${bench[@]}" --help; exit 0; }

figures=$1
shift
seconds=300
models=base,lite,hq
options=()
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=$2; shift 2 ;;
    --models) models=$2; shift 2 ;;
    *) options+=("$1"); shift ;;
  esac
done
find_driver

# precision, Dawn's toggles, label; base again without the checks that keep every access in bounds
parts=()
for model in ${models//,/ }; do
  parts+=("$model f32 none" "$model f16 none")
done
case ,$models, in *,base,*) parts+=('base f32 disable_robustness,disable_workgroup_init unchecked') ;; esac

SECONDS=0
failed=0
for ((i = 0; i < ${#parts[@]}; i++)); do
  read -r model precision toggles label <<<"${parts[i]}"
  share=$(((seconds - SECONDS) / (${#parts[@]} - i)))
  if ((share < 1)); then echo "no time left for ${parts[i]}"; failed=1; continue; fi
  arguments=(--models "$model" --precisions "$precision" --seconds "$share" --json "$figures")
  [ "$toggles" = none ] || arguments+=(--toggles "$toggles")
  [ -z "$label" ] || arguments+=(--label "$label")
  # compiling a shader cannot be interrupted from within: twice the share is enough
  timeout -k 5 $((2 * share + 20)) "${bench[@]}" "${arguments[@]}" ${options[@]+"${options[@]}"} 2>&1 | tee -a "$figures.log"
  [ "${PIPESTATUS[0]}" = 0 ] || { echo "${parts[i]}: did not finish" | tee -a "$figures.log"; failed=1; }
done
exit $failed
