/**
 * Tomcat as both servers need it: a few threads carry every caller, so none may wait for
 * one.
 */
@NullMarked
package dev.comfygateway.server;

import org.jspecify.annotations.NullMarked;
