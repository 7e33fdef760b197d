/** The library's entrance: a sandbox, compiled once and started as often as wanted. */
@NullMarked
package dev.cloister.sandbox;

import org.jspecify.annotations.NullMarked;
