/**
 * Tomcat as the gateway needs it: a few threads carry every caller, so none may wait for
 * one, and who asks the same again is answered with the same bytes.
 */
@NullMarked
package dev.comfygateway.server;

import org.jspecify.annotations.NullMarked;
