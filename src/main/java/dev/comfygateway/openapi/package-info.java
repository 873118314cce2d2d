/**
 * OpenAPI document and Swagger UI. This package describes what all operations share. Each
 * other package describes its own operations, by annotations or by a customizer.
 */
@NullMarked
package dev.comfygateway.openapi;

import org.jspecify.annotations.NullMarked;
