#!/bin/sh
# Process 1 of the guest: makes the calls in /calls and writes what came of them to the second
# serial port, away from what the kernel says.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
chmod 1777 /tmp
stty -F /dev/ttyS1 raw

# Somebody's home: a secret, and what the attacks are aimed at.
move_in() {
  uid=$1
  mkdir -p "/home/$uid/read-only" "/home/$uid/tmp"
  echo secret >"/home/$uid/secret"
  cp /attacks.py "/home/$uid"
  cp /usr/bin/id "/home/$uid/id"
  chown -R "$uid:$uid" "/home/$uid"
  # For root, becoming somebody else is the gain.
  chown "$2" "/home/$uid/id"
  chmod 4755 "/home/$uid/id"
  as "$uid" sleep 10000 &
  eval "outside_$uid=$!"
}

# By its path, or busybox takes its own for it.
as() {
  id=$1
  shift
  exec /usr/bin/setpriv --reuid "$id" --regid "$id" --clear-groups -- "$@"
}

# NAME UID COMMAND...
call() {
  [ "$2" = "$caller" ] || return 0
  name=$1
  shift 2
  (
    cd "/home/$caller"
    export HOME="/home/$caller" TMPDIR="/home/$caller/tmp"
    as "$caller" "$@"
  ) >"/out.$caller" 2>"/err.$caller" </dev/null
  status=$?
  awk '{ print "out " $0 }' "/out.$caller"
  awk '{ print "err " $0 }' "/err.$caller"
  echo "end $name $caller $status"
}

make_calls() {
  caller=$1
  . /calls
}

move_in 0 1
move_in 65534 0
# At the same time: there are two processors.
make_calls 0 >/results.0 &
first=$!
make_calls 65534 >/results.65534
wait "$first"
cat /results.0 /results.65534 >/dev/ttyS1
poweroff -f
