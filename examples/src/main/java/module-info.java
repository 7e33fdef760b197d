/** Programs that use the library as anybody would. */
@org.jspecify.annotations.NullMarked
module dev.cloister.examples {
  requires dev.cloister.core;
  requires static org.jspecify;
}
