#!/usr/bin/env bash
# All tests, then the long runs under faults. Arguments are Jest's. Goes on after a failure, and fails if anything did.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=()
part() {
  local name=$1 limit=$2 began=$SECONDS
  shift 2
  printf '\n-- %s: %s\n' "$name" "$*"
  timeout --kill-after=30s "$limit" "$@" || failed+=("$name")
  printf -- '-- %s: %d s\n' "$name" $((SECONDS - began))
}

part tests 28m npm test -- "$@"
part torture 9m npm run --silent torture -- --minutes 2 --seed 20
part torture-random 8m npm run --silent torture -- --minutes 1

if [ ${#failed[@]} -gt 0 ]; then
  printf 'Wrong: %s\n' "${failed[*]}"
  exit 1
fi
