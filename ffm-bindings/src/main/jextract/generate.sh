#!/bin/sh
# Writes the generated bindings anew: dev.cloister.ffm.generated in src/main/java.
#
#   sh generate.sh JEXTRACT_HOME
#
# JEXTRACT_HOME is the directory that has bin/jextract; see README.md. jextract reads
# compile_flags.txt, which selects the architecture, from its working directory.
set -eu

jextract=${1:?usage: generate.sh JEXTRACT_HOME}/bin/jextract
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
committed=$here/../java/dev/cloister/ffm/generated
package=dev.cloister.ffm.generated

test -x "$jextract" || { echo "generate.sh: no jextract at $jextract" >&2; exit 1; }
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT

for architecture in x86_64 aarch64; do
  cd "$here/$architecture"
  "$jextract" --output "$output" --target-package "$package.$architecture" \
    --header-class-name Linux \
    @../constants.symbols @../system-calls.symbols @../errno.symbols @../structs.symbols \
    ../linux.h
  "$jextract" --output "$output" --target-package "$package.$architecture.kernel" \
    --header-class-name KernelSignal \
    @../kernel-signal.symbols ../kernel-signal.h
  "$jextract" --output "$output/libc-$architecture" --target-package "$package.libc" \
    --header-class-name Libc \
    @../libc.symbols ../linux.h
done

# glibc's part is committed once: the same output for both architectures proves that one will do.
diff -r "$output/libc-x86_64" "$output/libc-aarch64"

rm -rf "$committed"
mv "$output/dev/cloister/ffm/generated" "$committed"
mv "$output/libc-x86_64/dev/cloister/ffm/generated/libc" "$committed"
