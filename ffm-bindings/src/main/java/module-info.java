/** Linux system calls through the foreign function and memory API: a thin, safe layer. */
@org.jspecify.annotations.NullMarked
module dev.cloister.ffm {
  requires static org.jspecify;

  exports dev.cloister.ffm;
}
