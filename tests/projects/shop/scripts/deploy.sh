#!/bin/sh
# Builds the images, starts them and waits until the shop answers.
set -eu

cd "$(dirname "$0")/.."

if [ ! -f .env.production ]; then
    echo "no .env.production: copy .env.production.example and fill it in" >&2
    exit 1
fi

docker compose build --pull
docker compose up -d --wait
curl -fsS http://127.0.0.1:8080/health
echo
echo "deployed"
