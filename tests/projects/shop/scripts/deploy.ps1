# Builds the images, starts them and waits until the shop answers: deploy.sh for Windows.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true

Set-Location (Join-Path $PSScriptRoot '..')

if (-not (Test-Path '.env.production')) {
    Write-Error 'no .env.production: copy .env.production.example and fill it in'
}

docker compose build --pull
docker compose up -d --wait
Invoke-RestMethod 'http://127.0.0.1:8080/health'
Write-Output 'deployed'
