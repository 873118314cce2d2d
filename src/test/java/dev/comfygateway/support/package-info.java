/** Fixtures that tests of several packages share. */
@NullMarked
package dev.comfygateway.support;

import org.jspecify.annotations.NullMarked;
