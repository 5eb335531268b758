#!/usr/bin/env bash
# Runs each case natively and in a sandbox, and compares output, errors and exit status.
#   run.sh SANDBOX-EXEC PLATFORM [CASE...]
set -u
sandbox=$(realpath "$1"); platform=$2; shift 2
here=$(dirname "$(realpath "$0")")
cases=("$@"); [ ${#cases[@]} -gt 0 ] || cases=($(cd "$here/cases" && ls | sed 's/\.sh$//'))
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
failed=0
run() { # name command...
    local name=$1; shift
    timeout -s KILL 300 "$@" </dev/null >"$work/$name.out" 2>"$work/$name.err"; echo $? >>"$work/$name.out"
}
export LC_ALL=C PROGRAMS=$here/sources HOME=/root
for name in "${cases[@]}"; do
    if ! sh "$here/cases/$name.sh" --needs >/dev/null 2>&1; then echo "absent $name (a program it needs is not installed)"; continue; fi
    start=$(date +%s%N)
    run native sh "$here/cases/$name.sh"
    middle=$(date +%s%N)
    run inside "$sandbox" --platform "$platform" -- sh "$here/cases/$name.sh"
    end=$(date +%s%N)
    times="$(((middle - start) / 1000000)) ms, $(((end - middle) / 1000000)) ms inside"
    if cmp -s "$work/native.out" "$work/inside.out" && cmp -s "$work/native.err" "$work/inside.err"; then
        echo "same $name ($times)"
    else
        failed=1
        echo "DIFFERENT $name ($times)"
        diff "$work/native.out" "$work/inside.out" | head -10
        diff "$work/native.err" "$work/inside.err" | head -10
    fi
done
exit $failed
