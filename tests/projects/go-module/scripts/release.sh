#!/bin/sh
# Builds the program for every system that we release for, into the folder that is given.
set -eu

folder=$1
version=$(git describe --tags)

rm -rf $folder
mkdir -p "$folder"
for target in linux/amd64 linux/arm64 darwin/arm64; do
    system=${target%/*}
    machine=${target#*/}
    echo "paste $version for $system on $machine"
    GOOS=$system GOARCH=$machine CGO_ENABLED=0 go build -trimpath -o "$folder/paste-$version-$system-$machine" .
done
