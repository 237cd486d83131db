#!/bin/bash -eu
# Builds every fuzz target into $OUT, with its seeds, dictionary and options. Run by ClusterFuzzLite and OSS-Fuzz, which set
# $SRC, $OUT, $WORK, $SANITIZER and a nightly toolchain, and have cargo-fuzz.

cd "$SRC/streamgauge"

sanitizer=${SANITIZER:-address}
# Under coverage the builder's own cargo takes care of the flags.
[ "$sanitizer" = coverage ] && sanitizer=none
cargo fuzz build -O --debug-assertions --sanitizer "$sanitizer" --target-dir "$WORK/targets"

# The tool that knows the seeds is an ordinary program: without the fuzzers' flags.
env -u RUSTFLAGS -u CFLAGS -u CXXFLAGS \
    cargo run --locked --quiet -p streamgauge-fuzz --bin streamgauge-fuzz --target-dir "$WORK/tool" -- export "$WORK/seeds"

for target in $(cargo fuzz list); do
    cp "$WORK/targets/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    cp "$WORK/seeds/$target.options" "$OUT/"
    if [ -e "$WORK/seeds/$target.dict" ]; then cp "$WORK/seeds/$target.dict" "$OUT/"; fi
    if [ -n "$(ls "$WORK/seeds/$target")" ]; then
        rm -f "$OUT/${target}_seed_corpus.zip"
        zip --quiet --junk-paths "$OUT/${target}_seed_corpus.zip" "$WORK/seeds/$target"/*
    fi
done
