// Vendure as its guides have it for production, less what needs a browser or a mail server: no
// dashboard, assets or e-mail.
const {
	DefaultJobQueuePlugin,
	DefaultSchedulerPlugin,
	DefaultSearchPlugin,
	dummyPaymentHandler,
} = require('@vendure/core')

const { DATABASE_HOST, DATABASE_NAME, PORT } = process.env

exports.config = {
	apiOptions: { hostname: '127.0.0.1', port: Number(PORT) },
	authOptions: {
		tokenMethod: 'bearer',
		superadminCredentials: { identifier: 'superadmin', password: 'bench' },
	},
	dbConnectionOptions: {
		type: 'postgres',
		host: DATABASE_HOST, // a folder: its Unix socket
		username: 'postgres',
		database: DATABASE_NAME,
		synchronize: false,
		logging: false,
	},
	paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
	plugins: [
		DefaultSchedulerPlugin.init(),
		DefaultJobQueuePlugin.init({ useDatabaseForBuffer: true }),
		DefaultSearchPlugin.init({ bufferUpdates: false, indexStockStatus: true }),
	],
}
