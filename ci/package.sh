#!/usr/bin/env bash
# The package as it would be published: what must be in it is, nothing else is, and it builds by
# itself. Needs no network once the dependencies are there.
set -euo pipefail
cd "$(dirname "$0")/.."

# Uncommitted changes are a contributor's own affair here; in CI there are none.
list=$(cargo package --list --allow-dirty)
for file in README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE src/lib.rs; do
    grep -qx "$file" <<<"$list" || { echo "not in the package: $file" && exit 1; }
done
generated='\.cargo_vcs_info\.json|Cargo\.lock|Cargo\.toml(\.orig)?'
if grep -vxE "$generated|[A-Z]+\.md|LICENSE-(MIT|APACHE)|(src|examples|tests)/.+\.rs|examples/[a-z_]+\.py" <<<"$list"; then
    echo "stray in the package"
    exit 1
fi

cargo package --offline --allow-dirty
