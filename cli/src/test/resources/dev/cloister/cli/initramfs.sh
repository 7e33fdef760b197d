# Packs an initramfs whose root has a JDK, Cloister, and the programs that the tests start in it.
#
# usage: sh initramfs.sh DIRECTORY JAVA_HOME INSTALLATION INIT CALLS ATTACKS INITRAMFS
#
# DIRECTORY is empty and the place for the tree. INIT becomes /init, CALLS what that runs.
set -eu
# What is packaged, not what its user put before that.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1 java_home=$2 installation=$3 init=$4 calls=$5 attacks=$6 initramfs=$7

# At the same path as here, and under its real name, if that is another.
put() {
  for file; do
    for name in "$file" "$(readlink -f "$file")"; do
      [ -e "$root$name" ] || {
        mkdir -p "$root${name%/*}"
        cp -pL "$file" "$root$name"
      }
    done
  done
}

# A program or a library with all the libraries that it is linked with.
put_linked() {
  for linked; do
    put "$linked"
    # Of what is linked statically ldd says so, and fails.
    put $(ldd "$linked" 2>/dev/null | grep -o '/[^ ]*')
  done
}

# Many systems have links to directories in /usr, and ldd(1) names files by them.
for directory in bin sbin lib lib64; do
  mkdir -p "$root/usr/$directory"
  ln -s "usr/$directory" "$root/$directory"
done
mkdir "$root/proc" "$root/sys" "$root/dev" "$root/etc" "$root/home" "$root/opt" "$root/tmp"
printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"

put_linked /usr/bin/setpriv "$(command -v unshare)" "$(command -v bwrap)" /usr/bin/id
put_linked "$(command -v python3)"
cp -L "$(command -v busybox)" "$root/usr/bin/busybox"
for applet in $(busybox --list); do
  [ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
done

# What attacks.py imports, and what that does.
python3 - "$attacks" <<'P' >"$root/python"
import importlib.util, modulefinder, os, sys
finder = modulefinder.ModuleFinder()
finder.run_script(sys.argv[1])
for module in finder.modules.values():
    if module.__file__ and module.__file__ != sys.argv[1]:
        print(module.__file__)
        if module.__file__.endswith(".py"):
            compiled = importlib.util.cache_from_source(module.__file__)
            if os.path.exists(compiled):
                print(compiled)
P
# These are imported without a word of it in the source.
python=$(python3 -c 'import os; print(os.path.dirname(os.__file__))')
for file in $(cat "$root/python") "$python"/encodings/*.py "$python"/encodings/__pycache__/*; do
  case $file in
    *.so) put_linked "$file" ;;
    *) put "$file" ;;
  esac
done
rm "$root/python"

mkdir -p "$root$java_home" "$root$installation"
# Without what only compilers and people read, and archives for rarer settings of the JVM.
tar -C "$java_home" -cf - --exclude=src.zip --exclude=ct.sym --exclude=jmods --exclude=legal \
  --exclude=include --exclude=man --exclude='classes_*.jsa' . | tar -C "$root$java_home" -xf -
put_linked "$java_home/bin/java" "$java_home/lib/server/libjvm.so" \
  "$java_home/lib/libnet.so" "$java_home/lib/libnio.so"

# At the same path and with the same times, so that the cache of classes is good there, too.
cp -a "$installation/." "$root$installation"

cp "$init" "$root/init"
chmod 755 "$root/init"
cp "$calls" "$root/calls"
cp "$attacks" "$root/attacks.py"

cd "$root"
find . | cpio --quiet -o -H newc -R 0:0 >"$initramfs"
# It is large, and was only needed for that.
rm -rf ./*
