/** The {@code cloister} command. */
@org.jspecify.annotations.NullMarked
module dev.cloister.cli {
  requires com.google.gson;
  requires dev.cloister.strategies;
  requires static org.jspecify;
}
