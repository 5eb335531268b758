#!/usr/bin/env bash
# Fetches what the suites need from Debian into build/: sources of busybox and bash, and the CPython test package when it is missing.
#   fetch.sh [FOLDER]
set -eu
here=$(dirname "$(realpath "$0")")
folder=${1:-$here/build}
mkdir -p "$folder/lists/partial"
cd "$folder"
sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/*.sources >sources.sources 2>/dev/null ||
    sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >sources.list
options="-o Dir::Etc::sourcelist=$(ls -d "$PWD"/sources.*) -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=$PWD/lists"
apt-get $options update -qq
for package in busybox bash; do
    ls -d $package-*/ >/dev/null 2>&1 || { apt-get $options source --download-only "$package"; tar xf ${package}_*.orig.tar.*; }
done
# The binary under test, and the configuration that it was built with.
[ -x busybox/bin/busybox ] || { apt-get download busybox; dpkg -x busybox_*.deb busybox; }
tar xf busybox_*.debian.tar.xz debian/config/pkg/deb debian/config/os/linux
cat debian/config/os/linux debian/config/pkg/deb >busybox/bin/.config
python=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
/usr/bin/python3 -c 'import test.test_os' 2>/dev/null || apt-get install -y "libpython$python-testsuite"
# bash's tests use four small programs of its own.
for helper in recho zecho printenv xcase; do
    [ -x "helpers/$helper" ] || { mkdir -p helpers; cc -w -include stdlib.h -include string.h -include unistd.h $(printf -- "-I%s " bash-*/ bash-*/include) -o "helpers/$helper" bash-*/support/$helper.c; }
done
