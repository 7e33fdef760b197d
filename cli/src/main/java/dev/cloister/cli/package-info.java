/** The {@code cloister} command: one class per subcommand, one constant per option. */
@NullMarked
package dev.cloister.cli;

import org.jspecify.annotations.NullMarked;
