#!/bin/bash
# shellcheck disable=SC1091,SC2012,SC2016,SC2020,SC2086 # words are split and names are plain, on purpose
# Private x86_64-pc-windows-gnu toolchain + wine on Debian 12 amd64, from Debian packages and Rust crates only.
# Nothing is installed outside $W; apt packages are downloaded and unpacked, not installed.
# Usage: bash setup.sh DIR;  then:  . DIR/env.sh; wine-up; cargo test --target x86_64-pc-windows-gnu; wine-down
set -euo pipefail
W=$(realpath -m "${1:?usage: setup.sh DIR}")
STD_OPT=${STD_OPT:-1}                 # opt-level of the std built here
mkdir -p "$W"/{debs,bin,shim,log}
R=$W/root; U=$R/usr
T0=$(date +%s); say() { echo "[$(( $(date +%s) - T0 ))s] $*"; }

# 1. packages -------------------------------------------------------------------------------
if [ ! -e "$W/.unpacked" ]; then
  apt-get update -qq
  dep() { apt-cache show --no-all-versions "$1" | sed -n 's/^Depends: //p' | head -1 | tr ',|' '\n\n' | awk '{print $1}' | grep -E "$2" | head -1; }
  std_dev=libstd-rust-web-dev; std=$(dep $std_dev '^libstd-rust-web-[0-9]'); llvm=$(dep "$std" '^libllvm')
  git2=$(dep cargo-web '^libgit2-'); mbed=$(apt-cache show --no-all-versions "$git2" | sed -n 's/^Depends: //p' | tr ',' '\n' | awk '{print $1}' | grep -E '^lib(mbed|http-parser)')
  pkgs="rustc-web cargo-web rust-web-src rust-web-clippy $std_dev $std $llvm $git2 $mbed
    gcc-mingw-w64-x86-64-posix gcc-mingw-w64-x86-64-posix-runtime gcc-mingw-w64-base
    binutils-mingw-w64-x86-64 mingw-w64-x86-64-dev mingw-w64-common wine64 libwine libz-mingw-w64"
  rm -f "$W"/debs/*.deb
  ( cd "$W/debs" && apt-get download -qq -o APT::Sandbox::User=root $pkgs )
  say "downloaded $(ls "$W"/debs/*.deb | wc -l) packages, $(du -sm "$W/debs" | cut -f1) MB"
  rm -rf "$R"; mkdir -p "$R"
  printf '%s\n' "$W"/debs/*.deb | xargs -P2 -I{} sh -c '
    case $1 in
      */rust-web-src_*) dpkg-deb --fsys-tarfile "$1" | tar -xC "$2" --wildcards "./usr/lib/*" "./usr/src/rustc-*/library" "./usr/src/rustc-*/Cargo.lock" ;;
      *) dpkg-deb --fsys-tarfile "$1" | tar -xC "$2" --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/i686-w64-mingw32 ;;
    esac' _ {} "$R"
  touch "$W/.unpacked"
  say "unpacked, $(du -sm "$R" | cut -f1) MB"
fi

# 2. wrappers -------------------------------------------------------------------------------
for t in rustc rustdoc cargo cargo-clippy clippy-driver; do
  printf '#!/bin/sh\nexport LD_LIBRARY_PATH=%s${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\nexec %s "$@"\n' "$U/lib/x86_64-linux-gnu" "$U/bin/$t" > "$W/bin/$t"
  chmod +x "$W/bin/$t"
done
for t in gcc cpp gcc-ar gcc-nm gcc-ranlib; do ln -sfn "$U/bin/x86_64-w64-mingw32-$t-posix" "$W/bin/x86_64-w64-mingw32-$t"; done
for t in ar as ld nm dlltool objcopy objdump ranlib strip windres; do ln -sfn "$U/bin/x86_64-w64-mingw32-$t" "$W/bin/x86_64-w64-mingw32-$t"; done
ln -sfn wineserver64 "$U/lib/wine/wineserver"          # Debian's is a script with /usr paths and -p0
ln -sfn "$U/lib/wine/wineserver64" "$W/bin/wineserver"
cat > "$W/bin/wine-run" <<X
#!/bin/sh
export LD_LIBRARY_PATH=$U/lib/x86_64-linux-gnu WINEPREFIX=\${WINEPREFIX:-$W/prefix} WINEDEBUG=\${WINEDEBUG:--all}
export WINEDLLOVERRIDES="mscoree=;mshtml=;winemenubuilder.exe=d"
unset DISPLAY WAYLAND_DISPLAY
exec $U/lib/wine/wine64 "\$@"
X
chmod +x "$W/bin/wine-run"
# one wineserver for a whole run; its services must not inherit the runner's pipes (nextest would wait for ever)
printf '#!/bin/sh\n%s -p; %s cmd /c "exit 0" </dev/null >/dev/null 2>&1\n' "WINEPREFIX=$W/prefix $W/bin/wineserver" "$W/bin/wine-run" > "$W/bin/wine-up"
printf '#!/bin/sh\nWINEPREFIX=%s exec %s -k   # ends this prefix only\n' "$W/prefix" "$W/bin/wineserver" > "$W/bin/wine-down"
chmod +x "$W/bin/wine-up" "$W/bin/wine-down"
cat > "$W/env.sh" <<X
export PATH=$W/bin:\$PATH RUSTC=$W/bin/rustc RUSTDOC=$W/bin/rustdoc WINEPREFIX=$W/prefix
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=$W/bin/wine-run
unset CARGO RUSTUP_TOOLCHAIN
X
. "$W/env.sh"
export CARGO_HOME=${WIN_CARGO_HOME:-$W/cargo-home}
rustc -V

# 3. std for x86_64-pc-windows-gnu, into the private sysroot ----------------------------------
L=$U/lib/rustlib/x86_64-pc-windows-gnu/lib
if [ ! -e "$L/.done" ]; then
  mkdir -p "$W/stdbuild/src"; : > "$W/stdbuild/src/lib.rs"
  printf '[package]\nname="stdbuild"\nversion="0.0.0"\nedition="2021"\n[workspace]\n[profile.release]\ndebug=0\nopt-level=%s\n' "$STD_OPT" > "$W/stdbuild/Cargo.toml"
  ( cd "$W/stdbuild"; RUSTC_BOOTSTRAP=1 cargo build -q --release -Z build-std=std,panic_unwind,test,proc_macro \
      --target x86_64-pc-windows-gnu )
  mkdir -p "$L"; rm -f "$L"/*.rlib
  cp "$W"/stdbuild/target/x86_64-pc-windows-gnu/release/deps/lib*.rlib "$L"/
  rm -f "$L"/libstdbuild-*.rlib; rm -rf "$W/stdbuild/target"; touch "$L/.done"
  say "std built, $(du -sm "$L" | cut -f1) MB"
fi

# 4. wine prefix ------------------------------------------------------------------------------
if [ ! -e "$WINEPREFIX/.done" ]; then
  # wine 8.0 (Debian 12) has no bcryptprimitives.dll, from which Rust's std imports ProcessPrng
  cat > "$W/shim/bcryptprimitives.c" <<'X'
__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *p, unsigned long n); /* RtlGenRandom */
__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *p, unsigned long long n) {
    while (n) { unsigned long k = n > 0x100000 ? 0x100000 : (unsigned long)n; if (!SystemFunction036(p, k)) return 0; p += k; n -= k; }
    return 1;
}
int __stdcall DllMainCRTStartup(void *h, unsigned long r, void *x) { return 1; }
X
  x86_64-w64-mingw32-gcc -O1 -shared -nostdlib -o "$W/shim/bcryptprimitives.dll" "$W/shim/bcryptprimitives.c" -ladvapi32
  rm -rf "$WINEPREFIX"; mkdir -p "$WINEPREFIX/drive_c/windows/system32"
  # zlib1.dll: Debian's user32.dll needs it and looks for it under /usr/x86_64-w64-mingw32/lib only
  cp "$W/shim/bcryptprimitives.dll" "$U/x86_64-w64-mingw32/lib/zlib1.dll" "$WINEPREFIX/drive_c/windows/system32/"
  wine-run wineboot -i > "$W/log/wineboot.log" 2>&1
  wineserver -w                                         # until the registry is written
  touch "$WINEPREFIX/.done"
  say "wine prefix, $(du -sm "$WINEPREFIX" | cut -f1) MB"
fi

# 5. check ------------------------------------------------------------------------------------
mkdir -p "$W/hello"; cat > "$W/hello/h.rs" <<'X'
fn main() {
    let o = std::process::Command::new("cmd").args(["/C", "echo hi"]).output().unwrap();
    let m: std::collections::HashMap<i32, i32> = [(1, 2)].into();
    println!("{} {:?} {}", std::env::consts::OS, String::from_utf8_lossy(&o.stdout).trim(), m[&1]);
    assert!(std::panic::catch_unwind(|| panic!("unwinds")).is_err());
    std::process::exit(42)
}
X
( cd "$W/hello"; rustc --edition 2024 --target x86_64-pc-windows-gnu -C linker=x86_64-w64-mingw32-gcc h.rs
  rc=0; out=$(wine-run h.exe 2>/dev/null) || rc=$?; echo "hello: rc=$rc out=$out"; [ "$rc" = 42 ] && [[ $out == *'windows "hi" 2'* ]] )
say "ok: . $W/env.sh"
