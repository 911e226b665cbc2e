// Makes the tables, a shop that can sell, and the products of a CSV file in Vendure's own form.
//
//	node fill.js PRODUCTS.csv
const { bootstrap, JobQueueService } = require('@vendure/core')
const { populate } = require('@vendure/core/cli')
const { config } = require('./config')

const shop = {
	defaultLanguage: 'en',
	defaultZone: 'Europe',
	countries: [{ code: 'DE', name: 'Germany', zone: 'Europe' }],
	taxRates: [{ name: 'Standard', percentage: 19 }],
	shippingMethods: [{ name: 'Standard', price: 500 }],
	paymentMethods: [
		{
			name: 'dummy',
			handler: {
				code: 'dummy-payment-handler',
				arguments: [{ name: 'automaticSettle', value: 'true' }],
			},
		},
	],
	collections: [],
}

async function fill(products) {
	config.dbConnectionOptions.synchronize = true
	const start = async () => {
		const app = await bootstrap(config)
		await app.get(JobQueueService).start() // the search's index is made by jobs
		return app
	}
	const app = await populate(start, shop, products)
	await app.close()
}

fill(process.argv[2]).then(
	() => process.exit(0),
	(error) => {
		console.error(error)
		process.exit(1)
	},
)
