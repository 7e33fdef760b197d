package dev.cloister.seccomp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** A filter written by hand, right or wrong. */
final class Instructions {
  private record One(int operation, int ifTrue, int ifFalse, long k) {}

  private final List<One> all = new ArrayList<>();

  Instructions add(int operation, long k) {
    return add(operation, 0, 0, k);
  }

  Instructions add(int operation, int ifTrue, int ifFalse, long k) {
    all.add(new One(operation, ifTrue, ifFalse, k));
    return this;
  }

  byte[] bytes() {
    ByteBuffer out = ByteBuffer.allocate(8 * all.size()).order(ByteOrder.LITTLE_ENDIAN);
    for (One one : all) {
      out.putShort((short) one.operation).put((byte) one.ifTrue).put((byte) one.ifFalse);
      out.putInt((int) one.k);
    }
    return out.array();
  }
}
