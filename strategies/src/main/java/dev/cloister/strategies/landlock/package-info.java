/** Takes rights away where no mounts can be made. */
@NullMarked
package dev.cloister.strategies.landlock;

import org.jspecify.annotations.NullMarked;
