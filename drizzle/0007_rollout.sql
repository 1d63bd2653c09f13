CREATE TABLE "rollout" (
	"id" uuid PRIMARY KEY NOT NULL,
	"version" bigint NOT NULL,
	"back_to" bigint NOT NULL,
	"state" text NOT NULL,
	"stage" integer NOT NULL,
	"stages" integer NOT NULL,
	"comment" text NOT NULL,
	"who" text NOT NULL,
	"author" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"reason" text NOT NULL,
	"gate" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rollout_gateway" (
	"rollout_id" uuid NOT NULL,
	"gateway_id" uuid NOT NULL,
	"stage" integer NOT NULL,
	"state" text NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	"baseline" jsonb,
	"after" jsonb,
	"reason" text NOT NULL,
	CONSTRAINT "rollout_gateway_rollout_id_gateway_id_pk" PRIMARY KEY("rollout_id","gateway_id")
);
--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "manifest_frozen" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "manifest" ADD COLUMN "released" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "rollout_gateway" ADD CONSTRAINT "rollout_gateway_rollout_id_rollout_id_fk" FOREIGN KEY ("rollout_id") REFERENCES "public"."rollout"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "rollout_state" ON "rollout" USING btree ("state");--> statement-breakpoint
CREATE INDEX "rollout_started" ON "rollout" USING btree ("started_at");