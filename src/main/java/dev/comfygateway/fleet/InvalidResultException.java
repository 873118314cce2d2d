package dev.comfygateway.fleet;

/** Result in Redis that this version cannot read. */
class InvalidResultException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	InvalidResultException() {
		super("Redis holds something else than a result", null, false, false);
	}

}
