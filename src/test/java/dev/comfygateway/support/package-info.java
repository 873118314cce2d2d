/** Fixtures for tests of several packages. */
@NullMarked
package dev.comfygateway.support;

import org.jspecify.annotations.NullMarked;
