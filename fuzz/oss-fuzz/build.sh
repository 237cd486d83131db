#!/bin/bash -eu
# One way to build for both services.
exec "$SRC/streamgauge/.clusterfuzzlite/build.sh"
