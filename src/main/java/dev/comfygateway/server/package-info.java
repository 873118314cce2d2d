/**
 * Tomcat as the gateway needs it: a few threads carry every caller, so none may wait for
 * one, who asks the same again is answered with the same bytes, and who must wait does so
 * at the price of a connection.
 */
@NullMarked
package dev.comfygateway.server;

import org.jspecify.annotations.NullMarked;
