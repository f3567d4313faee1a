#!/bin/sh
# Builds images with docker, podman or buildah: images/build.sh [postgres] [operator] [pooler]. MAJORS chooses
# PostgreSQL's, and POSTGRESQL_SOURCE where they come from: wheels, pgdg or debian; what is not from wheels says so in
# its tag.
# Each is left in build/images/NAME.tar too, for machines without a registry, and put into a Kubernetes of
# `make kubernetes` that runs here. With buildah the base is made locally by mmdebstrap where it is not there, so that
# the Debian and Python package indices are the only things asked.
set -eu
cd "$(dirname "$0")/.."
fail() { printf 'images: %s\n' "$*" >&2; exit 1; }

tool=${IMAGE_BUILDER:-}
for candidate in docker podman buildah; do
    # A client without its daemon is there and useless.
    [ -n "$tool" ] || ! $candidate info >/dev/null 2>&1 || tool=$candidate
done
[ -n "$tool" ] || fail "no docker, podman or buildah here. Cure: apt-get install buildah mmdebstrap (Debian)"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml | head -1)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
base=docker.io/library/debian:trixie-slim
mkdir -p build/images
[ $# -gt 0 ] || set -- postgres operator pooler

# A private authority or mirror that this machine's pip knows is what the build needs too.
access=$(mktemp -d build/images/access.XXXXXX)
trap 'rm -rf "$access"' EXIT
if [ "$tool" != docker ] && { [ -n "${PIP_CERT:-}" ] || [ -f /etc/pip.conf ]; }; then
    sed '/^cert *=/d' /etc/pip.conf 2>/dev/null > "$access/pip.conf" || echo '[global]' > "$access/pip.conf"
    grep -q '^\[global\]' "$access/pip.conf" || sed -i '1i [global]' "$access/pip.conf"
    sed -i 's#^\[global\]#[global]\ncert = /access/authorities.crt#' "$access/pip.conf"
    cp "${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}" "$access/authorities.crt"
    mounted="--volume=$PWD/$access:/access:ro"
fi

if [ "$tool" = buildah ] && ! buildah inspect --type image "$base" >/dev/null 2>&1; then
    command -v mmdebstrap >/dev/null || fail "the base image is not here. Cure: apt-get install mmdebstrap"
    echo "images: making $base with mmdebstrap, once; about a minute"
    mmdebstrap --quiet --variant=minbase trixie build/images/base.tar
    made=$(buildah from scratch)
    buildah add --quiet "$made" build/images/base.tar / >/dev/null
    buildah config --cmd bash "$made"
    buildah commit --quiet --rm "$made" "$base" >/dev/null
    rm build/images/base.tar
fi

for name in "$@"; do
    source='' suffix=''
    [ "$name" != postgres ] || source=${POSTGRESQL_SOURCE:-}
    [ -z "$source" ] || [ "$source" = wheels ] || suffix=-$source
    # Debian has one major.
    [ "$source" != debian ] || MAJORS=${MAJORS:-17}
    tag=docker.io/pgherd/$name:$version$suffix
    archive=build/images/$name$suffix.tar
    set -- --build-arg "VERSION=$version" --build-arg "REVISION=$revision" -f "images/$name/Containerfile" -t "$tag"
    [ -z "${mounted:-}" ] || set -- "$mounted" --build-arg PIP_CONFIG_FILE=/access/pip.conf "$@"
    [ "$name" != postgres ] || [ -z "${MAJORS:-}" ] || set -- --build-arg "MAJORS=$MAJORS" "$@"
    [ -z "$source" ] || set -- --build-arg "POSTGRESQL_SOURCE=$source" "$@"
    echo "images: building $tag with $tool"
    rm -f "$archive"
    case $tool in
        buildah)
            # crun refuses hybrid control groups, and a build needs no isolation from its own machine.
            buildah build --quiet --layers --isolation "${BUILDAH_ISOLATION:-chroot}" "$@" . >/dev/null
            buildah push --quiet "$tag" "docker-archive:$archive:$tag" ;;
        *)
            "$tool" build "$@" .
            "$tool" save -o "$archive" "$tag" ;;
    esac
    printf 'images: %s, %s MB unpacked, %s MB compressed\n' "$tag" $(($(stat -c %s "$archive") / 1000000)) \
        $(($(zstd -q -3 -c "$archive" | wc -c) / 1000000))
    if [ "$(id -u)" = 0 ] && python3 hack/kubernetes status | grep '^node-1.* process' >/dev/null; then
        python3 hack/kubernetes load "$archive"
    fi
done
