CREATE TABLE "sealed_secret" (
	"secret_id" uuid NOT NULL,
	"gateway_id" uuid NOT NULL,
	"seal_key" text NOT NULL,
	"sealed" text NOT NULL,
	CONSTRAINT "sealed_secret_secret_id_gateway_id_pk" PRIMARY KEY("secret_id","gateway_id")
);
--> statement-breakpoint
CREATE TABLE "secret" (
	"id" uuid PRIMARY KEY NOT NULL,
	"owner_kind" text NOT NULL,
	"owner_id" uuid NOT NULL,
	"setting" text NOT NULL,
	"ciphertext" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "seal_key" text;--> statement-breakpoint
ALTER TABLE "sealed_secret" ADD CONSTRAINT "sealed_secret_secret_id_secret_id_fk" FOREIGN KEY ("secret_id") REFERENCES "public"."secret"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "secret_owner" ON "secret" USING btree ("owner_kind","owner_id");