#!/bin/sh
# Builds the images of a tag, starts them and waits until they are well.
set -eu

cd "$(dirname "$0")/.."
IMAGE_TAG=${1:?usage: scripts/deploy.sh TAG}
export IMAGE_TAG

docker compose build --pull
docker compose up --detach --wait
