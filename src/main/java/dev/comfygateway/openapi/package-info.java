/**
 * OpenAPI document and Swagger UI. Here is what all operations have in common; each
 * package describes its own, by annotations or by a customizer.
 */
@NullMarked
package dev.comfygateway.openapi;

import org.jspecify.annotations.NullMarked;
