#!/bin/bash -eu
# Builds every fuzz target into $OUT, with its seeds, dictionary and options. Run by ClusterFuzzLite and OSS-Fuzz, which set
# $SRC, $OUT, $WORK, $SANITIZER and a nightly toolchain, and have cargo-fuzz.

cd "$SRC/streamgauge"

# Under coverage the builder's own cargo takes care of the flags, and builds into the folder that this names.
export CARGO_TARGET_DIR="$WORK/targets"
sanitizer=${SANITIZER:-address}
[ "$sanitizer" = coverage ] && sanitizer=none
cargo fuzz build -O --debug-assertions --sanitizer "$sanitizer"

# The tool that knows the seeds is an ordinary program: without the fuzzers' flags.
tool="$WORK/tool"
env -u RUSTFLAGS -u CFLAGS -u CXXFLAGS \
    cargo build --locked --quiet -p streamgauge-fuzz --target-dir "$tool"
"$tool/debug/streamgauge-fuzz" export "$WORK/seeds"

for target in $("$tool/debug/streamgauge-fuzz" list); do
    cp "$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    cp "$WORK/seeds/$target.options" "$OUT/"
    if [ -e "$WORK/seeds/$target.dict" ]; then cp "$WORK/seeds/$target.dict" "$OUT/"; fi
    if [ -n "$(ls "$WORK/seeds/$target")" ]; then
        rm -f "$OUT/${target}_seed_corpus.zip"
        zip --quiet --junk-paths "$OUT/${target}_seed_corpus.zip" "$WORK/seeds/$target"/*
    fi
done
