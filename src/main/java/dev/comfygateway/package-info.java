@NullMarked
package dev.comfygateway;

import org.jspecify.annotations.NullMarked;
